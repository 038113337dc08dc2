// What a courier's phone keeps until the server has answered for it: acts with their photos, and positions. In
// IndexedDB, since photos would not fit into the browser's smaller store.
const NAME = "run";
let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.addEventListener("upgradeneeded", () => {
      asked.result.createObjectStore("acts", { keyPath: "client_id" });
      asked.result.createObjectStore("fixes", { keyPath: "at" });
    });
    asked.addEventListener("success", () => resolve(asked.result));
    asked.addEventListener("error", () => reject(asked.error));
  });
  return opened;
}

/** Runs one step in one transaction; resolves when it is on the disk. */
async function step(store, mode, work) {
  const transaction = (await database()).transaction(store, mode);
  const asked = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve(asked?.result));
    transaction.addEventListener("abort", () => reject(transaction.error));
  });
}

export const put = (store, one) => step(store, "readwrite", (into) => into.put(one));
export const all = (store) => step(store, "readonly", (from) => from.getAll());
export const drop = (store, keys) =>
  step(store, "readwrite", (from) => keys.forEach((key) => from.delete(key)));
