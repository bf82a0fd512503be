// What comes before the recipe of docs/protocol.md: `connect(…)` stands for `io(SERVER, …)`. The timeout
// is for connections that break between the handshake and the first packet: the client does not
// notice those otherwise.
import { connect as dial } from "../../../tests/live/node/client.mjs";

const connect = (options) =>
  dial({ ...options, reconnectionDelay: 5, reconnectionDelayMax: 20, timeout: 500 });
