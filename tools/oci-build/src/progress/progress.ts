/** Tells a person what goes on; nothing that a program needs. */
export interface Progress {
  /** Something has happened. */
  line(text: string): void;
  /** Something takes a while: `transfer` is told of its bytes, and `end` closes it. */
  transfer(what: string, sizeBytes: number): Transfer;
}

export interface Transfer {
  moved(bytes: number): void;
  end(text: string): void;
}

/** For callers who want the result and nothing else. */
export const silentProgress: Progress = {
  line() {},
  transfer: () => ({ moved() {}, end() {} }),
};

/** Steps of the progress of a transfer that lines tell about, where there is no terminal to rewrite a line on. */
const percentStep = 25;
const worthTellingBytes = 8 << 20;

export function createLineProgress(write: (line: string) => void): Progress {
  return {
    line: write,
    transfer(what, sizeBytes) {
      let movedBytes = 0;
      let toldPercent = 0;
      return {
        moved(bytes) {
          movedBytes += bytes;
          const percent = Math.floor((movedBytes / sizeBytes) * 100);
          if (sizeBytes < worthTellingBytes || percent < toldPercent + percentStep || percent >= 100) return;
          toldPercent = percent - (percent % percentStep);
          write(`${what}: ${toldPercent} % of ${formatBytes(sizeBytes)}`);
        },
        end: (text) => write(`${what}: ${text}`),
      };
    },
  };
}

/** A line on the terminal that is rewritten while something goes over the line. */
export interface StatusLine {
  start(): void;
  stop(): void;
  text: string;
}

export function createTerminalProgress(status: StatusLine, write: (line: string) => void): Progress {
  const running = new Map<object, string>();

  function show(): void {
    status.text = [...running.values()].join(" · ");
  }

  function writeAbove(line: string): void {
    status.stop();
    write(line);
    if (running.size > 0) status.start();
  }

  return {
    line: writeAbove,
    transfer(what, sizeBytes) {
      const key = {};
      let movedBytes = 0;
      const transfer: Transfer = {
        moved(bytes) {
          movedBytes += bytes;
          running.set(key, `${what} ${Math.floor((movedBytes / Math.max(sizeBytes, 1)) * 100)} %`);
          show();
        },
        end(text) {
          running.delete(key);
          show();
          writeAbove(`${what}: ${text}`);
        },
      };
      running.set(key, `${what} 0 %`);
      show();
      status.start();
      return transfer;
    },
  };
}

/** `51.4 MB`, `5.0 kB`, `312 B` */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
