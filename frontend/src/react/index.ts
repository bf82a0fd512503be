/** React hooks on the client library. */
export { useConnection, useStream, useStreamClient, useStreamValue } from "./hooks.js";
export { useTextStream, type TextStreamControls, type UseTextStream } from "./useTextStream.js";
