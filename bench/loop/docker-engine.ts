import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

/** A container engine of this bench's own, with nothing in it. */
export interface DockerEngine {
  /** For the `docker` client: `DOCKER_HOST`. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const startTimeoutMs = 30_000;

/** What stands in for the Debian image that the glibc files come from: the same files of this machine. */
export const glibcImage = "host-libc";
const glibcFiles = "usr/lib/*-linux-gnu/{ld-linux-*.so.*,libc.so.6,libdl.so.2,libm.so.6,libpthread.so.0}";

/** @returns the engine, or why there is none */
export async function startDockerEngine(): Promise<DockerEngine | string> {
  if (process.getuid?.() !== 0) return "dockerd wants root";
  const found = await execa("sh", ["-c", "command -v dockerd && command -v docker && command -v aws"], {
    reject: false,
  });
  if (found.failed) return "dockerd, docker and aws are not all installed (Debian: docker.io, awscli)";
  const directory = mkdtempSync("/tmp/bench-docker-");
  const socket = join(directory, "docker.sock");
  const folders = [
    "--data-root",
    join(directory, "data"),
    "--exec-root",
    join(directory, "run"),
    "--pidfile",
    join(directory, "pid"),
  ];
  const network = ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  const daemon = spawn("dockerd", ["--host", `unix://${socket}`, ...folders, ...network], {
    stdio: "ignore",
  });
  const environment = { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(directory, "config") };
  const deadlineMs = Date.now() + startTimeoutMs;
  while (Date.now() < deadlineMs && daemon.exitCode === null) {
    if (
      existsSync(socket) &&
      !(await execa("docker", ["version"], { env: environment, reject: false })).failed
    ) {
      const names = [...new Bun.Glob(glibcFiles).scanSync({ cwd: "/", onlyFiles: false })];
      if (names.length < 5) {
        await stop(daemon, directory);
        return `this machine's glibc is not where Debian has it: /${glibcFiles}`;
      }
      const archive = join(directory, "glibc.tar");
      await execa("tar", ["-chf", archive, "-C", "/", ...names]);
      await execa("docker", ["import", archive, glibcImage], { env: environment });
      return { environment, stop: () => stop(daemon, directory) };
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop(daemon, directory);
  return "dockerd did not start here";
}

async function stop(daemon: ChildProcess, directory: string): Promise<void> {
  if (daemon.exitCode === null) {
    const exited = once(daemon, "exit");
    daemon.kill("SIGTERM");
    await exited;
  }
  rmSync(directory, { recursive: true, force: true });
}
