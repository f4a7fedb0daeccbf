/** What cannot be done, and what to do instead. */
export class Refusal extends Error {
  constructor(message, hint = "") {
    super(message);
    this.hint = hint;
  }
}
