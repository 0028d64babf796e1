import type { LeaseHolder } from "./lease/lease-log.ts";

/** What a command is doing, as it does it. */
export type Progress =
  | { readonly kind: "step"; readonly text: string }
  | { readonly kind: "waitingForLease"; readonly holder: LeaseHolder; readonly remainingMs: number }
  | { readonly kind: "waitingForStack"; readonly stackName: string; readonly status: string }
  | { readonly kind: "warning"; readonly text: string };

export type OnProgress = (progress: Progress) => void;

/** One line for a person, without a full stop. */
export function describeProgress(progress: Progress): string {
  switch (progress.kind) {
    case "step":
      return progress.text;
    case "waitingForLease": {
      const { command, user, host, pid, since } = progress.holder;
      const seconds = Math.ceil(progress.remainingMs / 1000);
      return `waiting for ${command} of ${user}@${host} (process ${pid}, since ${since}); free in ${seconds} s unless it is renewed`;
    }
    case "waitingForStack":
      return `waiting for CloudFormation: ${progress.stackName} is ${progress.status}`;
    case "warning":
      return `warning: ${progress.text}`;
  }
}
