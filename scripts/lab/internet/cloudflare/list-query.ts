/** Filters, order and pages of the API's lists. */
import type { DnsRecord } from "./record.ts";

export type ListQuery = Readonly<Record<string, string>>;

export interface Page<T> {
  readonly result: readonly T[];
  readonly result_info: {
    readonly page: number;
    readonly per_page: number;
    readonly count: number;
    readonly total_count: number;
    readonly total_pages: number;
  };
}

export interface PageSizes {
  readonly usual: number;
  readonly least: number;
  readonly most: number;
}

/** Which page of which size a query asks for; sizes out of range are cut. */
export function page<T>(
  all: readonly T[],
  query: ListQuery,
  { usual, least, most }: PageSizes,
): Page<T> {
  const wanted = positive(query.per_page) ?? usual;
  const per_page = Math.min(Math.max(wanted, least), most);
  const number = positive(query.page) ?? 1;
  const result = all.slice((number - 1) * per_page, number * per_page);
  return {
    result,
    result_info: {
      page: number,
      per_page,
      count: result.length,
      total_count: all.length,
      total_pages: Math.ceil(all.length / per_page),
    },
  };
}

const textFilters = ["name", "content", "comment"] as const;
const orders = ["type", "name", "content", "ttl", "proxied"] as const;

/**
 * The records that a query asks for. `name` means `name.exact`; `match=any`
 * asks for one filter to fit instead of all; no comparison minds case.
 */
export function matchingRecords(
  all: readonly DnsRecord[],
  query: ListQuery,
): DnsRecord[] {
  const filters = Object.entries(query).flatMap(([key, value]) => {
    const filter = filterOf(key, value.toLowerCase());
    return filter ? [filter] : [];
  });
  const found = all.filter((record) =>
    query.match === "any" && filters.length > 0
      ? filters.some((fits) => fits(record))
      : filters.every((fits) => fits(record)),
  );
  return ordered(found, query);
}

function filterOf(
  key: string,
  value: string,
): ((record: DnsRecord) => boolean) | undefined {
  if (key === "type") return (it) => it.type.toLowerCase() === value;
  if (key === "proxied") return (it) => String(it.proxied) === value;
  if (key === "search") {
    return (it) =>
      [it.name, it.content, it.comment ?? "", ...it.tags].some((text) =>
        text.toLowerCase().includes(value),
      );
  }
  const [field, comparison = "exact"] = key.split(".");
  const text = textFilters.find((name) => name === field);
  if (!text) return undefined;
  const of = (it: DnsRecord) => (it[text] ?? "").toLowerCase();
  switch (comparison) {
    case "exact":
      return (it) => of(it) === value;
    case "contains":
      return (it) => of(it).includes(value);
    case "startswith":
      return (it) => of(it).startsWith(value);
    case "endswith":
      return (it) => of(it).endsWith(value);
    case "present":
      return (it) => of(it) !== "";
    case "absent":
      return (it) => of(it) === "";
    default:
      return undefined;
  }
}

function ordered(records: DnsRecord[], query: ListQuery): DnsRecord[] {
  const field = orders.find((name) => name === query.order);
  const sign = query.direction === "desc" ? -1 : 1;
  if (!field) return sign === 1 ? records : records.reverse();
  return records.sort((a, b) => {
    if (field === "ttl") return sign * (a.ttl - b.ttl);
    return sign * String(a[field]).localeCompare(String(b[field]));
  });
}

function positive(text: string | undefined): number | undefined {
  const number = Number(text);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}
