// Names of a season's constants.

/** Constants by the specification's names: `damage_k` is `damageK`. */
export const camelRules = (rules) =>
  Object.fromEntries(
    Object.entries(rules).map(([name, value]) => [name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), value]),
  );
