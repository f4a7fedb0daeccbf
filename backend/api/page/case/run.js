// Starts the worker that examines a window, and ends it with the view that asked.

/**
 * @param tables the parsed tables.json
 * @param tell hears {kind: "uncomputable" | "replayed" | "steps" | "cause" | "done" | "failed", …}
 * @param signal ends it
 */
export function examineInWorker(job, tables, tell, signal) {
  if (signal.aborted) return;
  const worker = new Worker("/case/worker.js", { type: "module" });
  const stop = () => worker.terminate();
  signal.addEventListener("abort", stop, { once: true });
  const end = (message) => {
    signal.removeEventListener("abort", stop);
    stop();
    tell(message);
  };
  worker.onmessage = ({ data }) => (data.kind === "done" ? end(data) : tell(data));
  worker.onerror = (event) => end({ kind: "failed", reason: event.message || "The worker could not be started." });
  worker.postMessage({ tables, job });
}
