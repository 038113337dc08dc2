// What browsers that keep work for a line that is down have in common: who they are, and what counts as answered.
const DEVICE = "scan-device";
// Of these answers nothing was written, or nobody of ours gave them: what was sent waits on.
const LATER = new Set([400, 401, 403, 408, 425, 429, 500, 502, 503, 504]);

export function device() {
  const known = localStorage.getItem(DEVICE) ?? crypto.randomUUID();
  localStorage.setItem(DEVICE, known);
  return known;
}

/** Posts to a door of ours; undefined when the line or the server is down, or somebody has to sign in again. */
export async function post(url, body, headers) {
  try {
    const answer = await fetch(url, { method: "POST", body, headers });
    return answer.redirected || LATER.has(answer.status) ? undefined : answer;
  } catch {
    return undefined;
  }
}
