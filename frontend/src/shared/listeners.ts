/** Who wants to know of a change; `add` and `call` are what useSyncExternalStore asks for. */
export class Listeners {
  readonly #all = new Set<() => void>();

  readonly add = (listener: () => void): (() => void) => {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  };

  readonly call = (): void => {
    for (const listener of [...this.#all]) listener();
  };
}
