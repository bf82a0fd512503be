type Listener<T> = (value: T) => void;

/** Typed events. A listener that throws harms nobody else: the error surfaces as uncaught. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Call `listener` at each `event`, until the function that is returned is called. */
  on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set<Listener<never>>();
    this.#listeners.set(event, listeners);
    // Wrapped, so that a function that listens twice is called twice, and removed one by one.
    const entry: Listener<Events[K]> = (value) => {
      listener(value);
    };
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  emit<K extends keyof Events>(event: K, value: Events[K]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (listener as Listener<Events[K]>)(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
