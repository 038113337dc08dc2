// A scanner types a number and presses Enter. The field takes the next one at once: it is emptied when the answer
// has come, and takes the focus back whenever it would be lost.

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

export function startScanFields() {
  document.addEventListener("htmx:after:settle", () => {
    const field = document.querySelector("[data-scan]");
    if (!field) return;
    field.value = "";
    field.focus();
    const answer = document.querySelector("[data-scan-tone]:not([data-sounded])");
    if (!answer) return;
    answer.dataset.sounded = "yes";
    if (navigator.userActivation?.hasBeenActive) sound(answer.dataset.scanTone);
  });
}
