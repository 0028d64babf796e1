import { execa } from "execa";

/** What Nx says of the workspace's projects. */
export interface Projects {
  /** Those that differ between two commits; uncommitted changes don't count. */
  findAffected(base: string, head: string): Promise<string[]>;
  /** Those that have a target. */
  findWithTarget(target: string): Promise<string[]>;
}

export function openProjects(directory: string): Projects {
  const show = async (...argv: string[]): Promise<string[]> => {
    const { stdout } = await execa("nx", ["show", "projects", ...argv, "--json"], {
      cwd: directory,
      preferLocal: true,
      localDir: directory,
      stderr: "inherit",
      // Nx's daemon and plugin processes cost more than they save in a single command.
      env: { NX_DAEMON: "false", NX_ISOLATE_PLUGINS: "false" },
    });
    return JSON.parse(stdout);
  };
  return {
    findAffected: (base, head) => show("--affected", `--base=${base}`, `--head=${head}`),
    findWithTarget: (target) => show(`--withTarget=${target}`),
  };
}
