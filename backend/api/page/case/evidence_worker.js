// Verifies evidence bundles beside the page. All that it needs is loaded before it says that it is ready. Each message
// names the file that it is about.
import { readTables } from "../kernel/tables.js";
import { unpackDataset } from "./dataset.js";
import { examineBundle } from "./evidence.js";

addEventListener("message", ({ data: { id, tables, bytes } }) => {
  const tell = (message) => postMessage({ ...message, id });
  try {
    examineBundle(bytes, readTables(tables), unpackDataset, tell);
    tell({ kind: "done" });
  } catch (error) {
    tell({ kind: "failed", reason: error.message });
  }
});
postMessage({ kind: "ready" });
