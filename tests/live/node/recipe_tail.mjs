// What comes after it.
function finish(socket, text, end) {
  console.log(
    JSON.stringify({ text, sha256: sha256(text), expected: end.text_sha256, reason: end.reason }),
  );
}
