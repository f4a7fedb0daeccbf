// What is new on the chain: one stream for the whole page, told to views in batches and by topics.
import { follow } from "./api.js";

const PAUSE_MS = 400;

/** Between two batches: each may make a view ask for all that it shows. */
const LEAST_MS = 1500;

/** What a message is about: its type, and what it names. */
export function topicsOf(message) {
  const found = [message.type];
  for (const name of ["beast", "dispute", "match", "season"]) {
    if (message[name] !== undefined && message[name] !== null) found.push(name, `${name}:${message[name]}`);
  }
  if (message.rival !== undefined && message.rival !== null) found.push(`beast:${message.rival}`); // B of a match
  return new Set(found);
}

/** After these everything may be another. */
const ALL = new Set(["reorg", "gap"]);

/** Whether a message is for somebody who wants `topics`, such as ["beast:3", "match"]; null wants everything. */
export function concerns(message, topics) {
  if (message.type === "block" || message.type === "hello") return false;
  if (topics === null || ALL.has(message.type)) return true;
  const about = topicsOf(message);
  return topics.some((topic) => about.has(topic));
}

/**
 * Follow the stream for as long as the page lives.
 * @param tell `(news, missed)`: a batch, and whether something may have gone by while nobody listened
 * @param changed `(open)`: hears whether the stream is open
 */
export function startNews(tell, changed) {
  let [waiting, timer, connections, last, told] = [[], null, 0, null, -Infinity];
  const flush = () => {
    const news = waiting;
    [waiting, timer, told] = [[], null, performance.now()];
    tell(news, connections > 1 && news.some(({ type }) => type === "hello"));
  };
  follow(
    () => (last ? `/v1/events?since=${encodeURIComponent(last)}` : "/v1/events"),
    (message) => {
      last = message.id ?? last;
      waiting.push(message);
      timer ??= setTimeout(flush, Math.max(PAUSE_MS, told + LEAST_MS - performance.now()));
    },
    new AbortController().signal,
    (open) => {
      if (open) connections++;
      changed(open);
    },
  );
}
