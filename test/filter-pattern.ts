/**
 * CloudWatch's filter patterns for JSON, as far as the stack's use them: AWS
 * has no program that judges one outside of it. A part that is not known here
 * is an error, never a guess.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */

/** Whether a log event is one of those that a pattern means. */
export function matches(pattern: string, message: string): boolean {
  const words =
    pattern.match(
      /\s+|[{}()]|&&|\|\||[<>!]=|[<>=]|\$(?:\.[A-Za-z0-9_-]+)+|"[^"]*"|-?\d+|./g,
    ) ?? [];
  const rest = words.filter((word) => word.trim() !== "");
  if (pattern.length > 1024) throw new Error("longer than a pattern may be");
  const event = json(message);
  const take = (expected?: string): string => {
    const word = rest.shift() ?? "the end";
    if (expected !== undefined && word !== expected) {
      throw new Error(`${pattern}: ${word} instead of ${expected}`);
    }
    return word;
  };
  // && binds closer than ||. No part is left out: all of it must be known.
  const either = (): boolean => {
    let found = both();
    while (rest[0] === "||") {
      take();
      found = both() || found;
    }
    return found;
  };
  const both = (): boolean => {
    let found = one();
    while (rest[0] === "&&") {
      take();
      found = one() && found;
    }
    return found;
  };
  const one = (): boolean => {
    if (rest[0] === "(") {
      take();
      const found = either();
      take(")");
      return found;
    }
    const selector = take();
    if (!selector.startsWith("$.")) throw new Error(`${selector}: no selector`);
    return compares(select(event, selector), take(), take());
  };
  take("{");
  const found = either();
  take("}");
  if (rest.length > 0) throw new Error(`${pattern}: ${rest.join(" ")}`);
  return found;
}

/** A field's value; a field that is none, or holds others, is never meant. */
function select(event: unknown, selector: string): unknown {
  return selector
    .split(".")
    .slice(1)
    .reduce<unknown>(
      (value, name) =>
        typeof value === "object" && value !== null
          ? (value as Record<string, unknown>)[name]
          : undefined,
      event,
    );
}

function compares(found: unknown, operator: string, literal: string): boolean {
  if (typeof found !== "string" && typeof found !== "number") return false;
  if (literal.startsWith('"')) {
    const equal = isLike(String(found), literal.slice(1, -1));
    if (operator === "=") return equal;
    if (operator === "!=") return !equal;
    throw new Error(`${operator} does not compare texts`);
  }
  if (!/^-?\d+$/.test(literal)) throw new Error(`${literal}: no value`);
  if (typeof found !== "number") return false;
  const compare = {
    "=": found === Number(literal),
    "!=": found !== Number(literal),
    "<": found < Number(literal),
    ">": found > Number(literal),
    "<=": found <= Number(literal),
    ">=": found >= Number(literal),
  }[operator];
  if (compare === undefined) throw new Error(`${operator}: no operator`);
  return compare;
}

/** "*" stands for any text before, after, or in the place of a text. */
function isLike(text: string, wanted: string): boolean {
  const core = wanted.replace(/^\*/, "").replace(/\*$/, "");
  if (core.includes("*")) throw new Error(`${wanted}: "*" in the middle`);
  if (wanted === "*") return true;
  if (wanted === core) return text === core;
  if (wanted === `*${core}`) return text.endsWith(core);
  if (wanted === `${core}*`) return text.startsWith(core);
  return text.includes(core);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
