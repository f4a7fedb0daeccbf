// Examines a window beside the page, so that the page never stands still.
import { readTables } from "../kernel/tables.js";
import { examine } from "./examine.js";

addEventListener("message", ({ data: { tables, job } }) => {
  examine(job, readTables(tables), (message) => postMessage(message));
  postMessage({ kind: "done" });
});
