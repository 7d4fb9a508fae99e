/** Kinds of values that keys have, with what is said of a wrong one. */
import * as z from "zod";
import { quote } from "./problems.ts";

/** As a schema's parameter: the value, what is wrong with it, and the fix. */
export const wrong = (is: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `${quote(input)} ${is}`,
});

/** @param is what is said of a text of another form: `is not …; write …` */
export const text = (form: RegExp, is: string) =>
  z.string().regex(form, wrong(is));

export const between = (least: number, most: number) =>
  z.int().min(least).max(most);

export const port = between(1, 65_535);
