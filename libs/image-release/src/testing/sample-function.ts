import { parseFunction, stages } from "@workspace/shared-config";

/** `lambda-app` on `dev`. */
export const sampleFunction = parseFunction("lambda-app", stages.dev, "x86_64");

/** A digest that is one digit all over. */
export function sampleDigest(digit: string): `sha256:${string}` {
  return `sha256:${digit.repeat(64)}`;
}
