import type { CanaryProps } from "@workspace/handoff";
import type { Command } from "commander";
import { parseDurationMs, parsePercent, usage } from "./options.ts";

export interface CanaryOptions {
  readonly canary?: number;
  readonly bake?: number;
  readonly alarm?: string;
}

export function addCanaryOptions(command: Command): Command {
  return command
    .option(
      "--canary <percent>",
      "give the new version this part of the traffic first, such as 10%",
      parsePercent,
    )
    .option("--bake <duration>", "how long the canary is watched (default: 5m)", parseDurationMs)
    .option("--alarm <name>", "a CloudWatch alarm that ends the canary when it goes off");
}

const defaultBakeMs = 5 * 60_000;

/** @throws CodedError `E_USAGE` */
export function buildCanary({ canary, bake, alarm }: CanaryOptions): CanaryProps | undefined {
  if (canary !== undefined) return { percent: canary, bakeMs: bake ?? defaultBakeMs, alarmName: alarm };
  if (bake === undefined && alarm === undefined) return undefined;
  throw usage("--bake and --alarm belong to a canary", undefined, "Give --canary PERCENT, too.");
}
