// The few words scripts say, translated by the server and left in base.html.
const block = document.getElementById("ui-messages");
const messages = block ? JSON.parse(block.textContent) : {};

export function message(key) {
  return messages[key] ?? key;
}
