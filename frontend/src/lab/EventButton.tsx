interface EventButtonProps {
  event: string;
  label: string;
  disabled: boolean;
  onSend: () => void;
}

/** What it does, in words, and the event that it sends. */
export function EventButton({ event, label, disabled, onSend }: EventButtonProps) {
  return (
    <button type="button" className="event" disabled={disabled} onClick={onSend}>
      <span>{label}</span> <code>{event}</code>
    </button>
  );
}
