// A scanner types a number and presses Enter. The one big field takes the next one at once, and takes the focus back
// whenever it would be lost; each answer has its sound.

/** Plays a short tone: high for done, low for stop. Browsers allow it once somebody has pressed a key. */
function sound(tone) {
  const context = new AudioContext();
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = { ok: 880, warn: 440, bad: 220 }[tone] ?? 660;
  gain.gain.setValueAtTime(0.15, context.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.3);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start();
  oscillator.stop(context.currentTime + 0.3);
  oscillator.addEventListener("ended", () => context.close());
}

/** Sounds the answer that has just come, and makes the field ready. A station's script empties its own. */
export function answered() {
  const field = document.querySelector("[data-scan]");
  if (!field) return;
  if (!field.closest("[data-scan-station]")) field.value = "";
  field.focus();
  const answer = document.querySelector("[data-scan-tone]:not([data-sounded])");
  if (!answer) return;
  answer.dataset.sounded = "yes";
  if (navigator.userActivation?.hasBeenActive) sound(answer.dataset.scanTone);
}

export function startScanFields() {
  document.addEventListener("htmx:after:settle", answered);
}
