import { Component, type ContextType, type ReactNode } from "react";
import { WordsContext } from "../i18n";

interface BoundaryProps {
  children: ReactNode;
}

/**
 * Shows what is in it; where that fails, it says so, and the rest of the page goes on.
 *
 * A class: React has no other way to catch what a component throws.
 */
export class Boundary extends Component<BoundaryProps, { broken: boolean }> {
  static override contextType = WordsContext;
  declare context: ContextType<typeof WordsContext>;
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    const { words } = this.context;
    return (
      <div role="alert" className="broken">
        <p>{words.broken}</p>
        <button
          type="button"
          onClick={() => {
            this.setState({ broken: false });
          }}
        >
          {words.tryAgain}
        </button>
      </div>
    );
  }
}
