// `/` search, `j` `k` rows, `e` or Enter open, `?` help. Single keys are left alone while somebody is typing.

function isTyping(target) {
  return (
    target.isContentEditable ||
    target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select")
  );
}

function rows() {
  return [...document.querySelectorAll("tr[data-row]")].filter((row) => row.offsetParent !== null);
}

function moveRow(step) {
  const all = rows();
  if (all.length === 0) return false;
  const at = all.indexOf(document.activeElement.closest?.("tr[data-row]"));
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
  return true;
}

function openRow(prefer) {
  const row = document.activeElement.closest?.("tr[data-row]");
  const target = row
    ? (row.querySelector(prefer) ?? row.querySelector("a[href]"))
    : document.querySelector(`main ${prefer}`);
  target?.click();
  return Boolean(target);
}

function focusSearch() {
  const field = document.querySelector("[data-search]");
  field?.focus();
  field?.select();
  return Boolean(field);
}

function openHelp() {
  document.getElementById("help").showModal();
  return true;
}

const KEYS = {
  "/": focusSearch,
  "?": openHelp,
  j: () => moveRow(1),
  k: () => moveRow(-1),
  e: () => openRow("[data-edit]"),
};

export function startKeyboard() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const onRow = event.key === "Enter" && event.target.matches("tr[data-row]");
    if (onRow ? openRow("[data-open]") : KEYS[event.key]?.()) event.preventDefault();
  });
}
