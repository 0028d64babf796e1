import { describeProgress, type Progress } from "@workspace/handoff";

/** Shows what a command is doing, on standard error. */
export interface ProgressView {
  show(progress: Progress): void;
  /** A line that a tool printed on the way. */
  detail(line: string): void;
  /** The last step is over. */
  end(outcome: "succeeded" | "failed"): void;
}

/** A spinner on a terminal, plain lines elsewhere. @param stream standard error: the result alone goes to standard output */
export function createProgressView(stream: NodeJS.WriteStream): Promise<ProgressView> | ProgressView {
  return stream.isTTY
    ? createTerminalProgressView(stream)
    : createPlainProgressView((text) => stream.write(text));
}

/** Where there is no terminal: a line for each thing that happens. */
export function createPlainProgressView(write: (text: string) => void): ProgressView {
  let last = "";
  const line = (text: string) => {
    if (text !== last) write(`${text}\n`);
    last = text;
  };
  return {
    show: (progress) => line(describeProgress(progress)),
    detail: (text) => line(`  ${text}`),
    end() {},
  };
}

/** A spinner on the current step; the steps before it stay above with a tick. */
async function createTerminalProgressView(stream: NodeJS.WriteStream): Promise<ProgressView> {
  // Loaded only where there is a terminal: it would cost every other run more than a call to AWS.
  const { default: ora } = await import("ora");
  const spinner = ora({ stream, discardStdin: false });
  let step = "";
  const begin = (text: string) => {
    if (step !== "") spinner.succeed(step);
    step = text;
    spinner.start(text);
  };
  return {
    show(progress) {
      const text = describeProgress(progress);
      if (progress.kind === "warning") {
        spinner.stopAndPersist({ symbol: "!", text });
        if (step !== "") spinner.start(step);
      } else if (progress.kind === "step" || step === "") {
        begin(text);
      } else {
        spinner.text = text;
      }
    },
    detail(line) {
      const width = Math.max(20, (stream.columns ?? 80) - step.length - 6);
      spinner.text = `${step}  ${line.slice(0, width)}`;
    },
    end(outcome) {
      if (step !== "") outcome === "succeeded" ? spinner.succeed(step) : spinner.fail(step);
      step = "";
    },
  };
}
