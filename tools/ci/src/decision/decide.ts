/** What a push calls for, and why. It is printed as JSON, and handed to the workflow as outputs. */
export interface Decision {
  /** The commit since which everything is to be done; {@link emptyTree} where that is everything. */
  readonly base: string;
  readonly head: string;
  /** One sentence for the person who reads the log. */
  readonly why: string;
  /** Functions whose stacks are deployed: every one, or none. */
  readonly deploy: readonly string[];
  /** Functions that are released. */
  readonly release: readonly string[];
  /** The Nx tasks, in the order in which they run. */
  readonly order: readonly string[];
}

/**
 * Git's name for a tree without files: everything differs from it.
 * https://git-scm.com/docs/gitrevisions ; `git hash-object -t tree /dev/null` gives it
 */
export const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** The project that deploys; what it deploys is every function of the workspace. */
const infraProject = "infra";

/**
 * Deploys come first. A function that was never released has neither repository nor function before its
 * first deploy; and where one push brings an app and what it needs (a permission, a variable), the infra is
 * what the other can't do without. What an app no longer needs is taken away by a later push.
 *
 * @param props.affected projects that differ between `base` and `head`
 * @param props.functions projects that have a `release` target
 */
export function decide(props: {
  base: string;
  head: string;
  why: string;
  affected: readonly string[];
  functions: readonly string[];
}): Decision {
  const { base, head, why, affected } = props;
  const functions = props.functions.toSorted();
  const deploy = affected.includes(infraProject) ? functions : [];
  const release = functions.filter((project) => affected.includes(project));
  const order = [
    ...(deploy.length > 0 ? [`${infraProject}:deploy`] : []),
    ...release.map((project) => `${project}:release`),
  ];
  return { base, head, why, deploy, release, order };
}
