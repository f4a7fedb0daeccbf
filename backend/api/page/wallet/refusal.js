import { plain } from "./values.js";

/** What cannot be done, and what to do instead. `said` is text, or text and values (values.js). */
export class Refusal extends Error {
  constructor(said, hint = "") {
    super(plain(said));
    this.said = said;
    this.hint = hint;
  }
}
