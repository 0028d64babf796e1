import { CodedError } from "@workspace/shared-config";

/** A number of the command line, and what it may be. */
export interface Amount {
  /** `--workers` */
  readonly option: string;
  readonly text: string;
  /** `a whole number from 1` */
  readonly allowed: string;
  readonly isValid: (amount: number) => boolean;
}

/** @throws CodedError `E_USAGE` */
export function parseAmount({ option, text, allowed, isValid }: Amount): number {
  const amount = Number(text);
  if (text.trim() !== "" && isValid(amount)) return amount;
  throw new CodedError({
    code: "E_USAGE",
    what: `${option} is not ${allowed}`,
    value: text,
    remedy: `Give ${allowed}.`,
  });
}

/** @throws CodedError `E_USAGE` */
export function parseCount(option: string, text: string): number {
  return parseAmount({
    option,
    text,
    allowed: "a whole number from 1",
    isValid: (amount) => Number.isSafeInteger(amount) && amount > 0,
  });
}
