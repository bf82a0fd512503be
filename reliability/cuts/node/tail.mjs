// What comes after it.
function finish(socket, text, { text_sha256: sha256, reason }) {
  const error = text === chars.join("") ? "" : "the recipe returned another text than it assembled";
  console.log(JSON.stringify({ id, units: chars, sha256, reason, error }));
}
