/** A storage in memory. */
export class MemoryStorage {
  readonly #values = new Map<string, string>();

  getItem(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  copy(): MemoryStorage {
    const copy = new MemoryStorage();
    for (const [key, value] of this.#values) copy.setItem(key, value);
    return copy;
  }

  setItem(key: string, value: string): void {
    this.#values.set(key, value);
  }
}
