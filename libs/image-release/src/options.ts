import { CodedError } from "@workspace/shared-config";

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `5m`, `1h`, `2d`; in milliseconds. @throws CodedError `E_USAGE` */
export function parseDurationMs(value: string): number {
  const [, amount = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(value) ?? [];
  const unitMs = unitsMs[unit];
  if (unitMs === undefined) throw usage("not a duration", value, "Write it like 30s, 5m, 1h or 2d.");
  return Number(amount) * unitMs;
}

/** `10%` or `10`: more than 0, less than 100. @throws CodedError `E_USAGE` */
export function parsePercent(value: string): number {
  const percent = /^\d{1,2}(\.\d{1,2})?%?$/.test(value) ? Number.parseFloat(value) : Number.NaN;
  if (!(percent > 0)) throw usage("not a percentage between 0 and 100", value, "Write it like 10%.");
  return percent;
}

/** A whole number from 1 to 999. @throws CodedError `E_USAGE` */
export function parseCount(value: string): number {
  if (!/^[1-9]\d{0,2}$/.test(value)) throw usage("not a number from 1 to 999", value, "Write it like 10.");
  return Number(value);
}

export function usage(what: string, value: unknown, remedy: string): CodedError {
  return new CodedError({ code: "E_USAGE", what, value, remedy });
}
