import { useCallback, useMemo, useState, useSyncExternalStore } from "react";
import {
  StreamClient,
  type ClientOptions,
  type ConnectionSnapshot,
  type StreamSnapshot,
  type TextStream,
} from "../client/index.js";
import { perFrame } from "./frame.js";

/**
 * A client that lives as long as the component; undefined until it is mounted.
 *
 * `options` are those of the first time: another client is made for another `url` only.
 */
export function useStreamClient(url: string, options?: ClientOptions): StreamClient | undefined {
  const [first] = useState(options);
  const holder = useMemo(() => new ClientHolder(url, first), [url, first]);
  return useSyncExternalStore(holder.mount, holder.current, () => undefined);
}

/**
 * Makes the client when React subscribes, and closes it when React leaves. Not while rendering:
 * React may render twice and throw one away, and its connection would stay.
 */
class ClientHolder {
  readonly #make: () => StreamClient;
  #client: StreamClient | undefined;

  constructor(url: string, options?: ClientOptions) {
    this.#make = () => new StreamClient(url, options);
  }

  readonly mount = (): (() => void) => {
    const client = (this.#client = this.#make()); // React compares when it has subscribed.
    return () => {
      client.close();
      this.#client = undefined;
    };
  };

  readonly current = (): StreamClient | undefined => this.#client;
}

/** The client's connection, as it changes. Undefined without a client. */
export function useConnection(client: StreamClient | undefined): ConnectionSnapshot | undefined {
  const subscribe = useCallback(
    (changed: () => void) => client?.subscribe(changed) ?? nothing,
    [client],
  );
  return useSyncExternalStore(
    subscribe,
    () => client?.connection,
    () => undefined,
  );
}

/** A stream as it changes, at most once per frame. Undefined without a stream. */
export function useStream(stream: TextStream | undefined): StreamSnapshot | undefined {
  const subscribe = useCallback(
    (changed: () => void) => (stream ? perFrame(stream, changed) : nothing),
    [stream],
  );
  return useSyncExternalStore(
    subscribe,
    () => stream?.snapshot,
    () => undefined,
  );
}

/**
 * One value of a stream. The component renders again when that value is another, and not for each
 * chunk: a fast stream has thousands of them a second.
 *
 * `pick` must yield the same value as long as nothing has changed: a string, a number, an object of
 * the stream's own (`info`, `result`, `error`), but none that it makes. Undefined without a stream.
 */
export function useStreamValue<T>(
  stream: TextStream | undefined,
  pick: (stream: TextStream) => T,
): T | undefined {
  const subscribe = useCallback(
    (changed: () => void) => stream?.subscribe(changed) ?? nothing,
    [stream],
  );
  return useSyncExternalStore(
    subscribe,
    () => (stream ? pick(stream) : undefined),
    () => undefined,
  );
}

const nothing = (): void => undefined;
