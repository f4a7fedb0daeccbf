// Verifies evidence bundles beside the page. All that it needs is loaded before it says that it is ready.
import { readTables } from "../kernel/tables.js";
import { unpackDataset } from "./dataset.js";
import { examineBundle } from "./evidence.js";

addEventListener("message", ({ data: { tables, bytes } }) => {
  examineBundle(bytes, readTables(tables), unpackDataset, (message) => postMessage(message));
  postMessage({ kind: "done" });
});
postMessage({ kind: "ready" });
