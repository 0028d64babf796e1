import { emptyTree } from "./decide.ts";

/** How a commit lies to another in the history of a repository. */
export interface History {
  /** Whether the commit is there. */
  has(commit: string): Promise<boolean>;
  /** Whether `ancestor` is in the history of `commit`; true also where they are the same. */
  isAncestor(ancestor: string, commit: string): Promise<boolean>;
}

/** Where to count changes from, and why. */
export interface Base {
  readonly base: string;
  readonly why: string;
}

/**
 * The commit since which a push is to be carried out: the last one that was carried out whole. What a failed
 * or cancelled run left undone is thereby part of the next.
 *
 * @param props.lastSuccess commit of the last successful run; undefined where there is none
 * @param props.everything somebody asked for all of it
 */
export async function chooseBase(
  props: { head: string; lastSuccess: string | undefined; everything: boolean },
  history: History,
): Promise<Base> {
  const { head, lastSuccess, everything } = props;
  if (lastSuccess === undefined)
    return { base: emptyTree, why: "No run has succeeded yet: everything runs." };
  const short = lastSuccess.slice(0, 12);
  if (!(await history.has(lastSuccess))) {
    return {
      base: emptyTree,
      why: `The last successful run's ${short} is gone from the history: everything runs.`,
    };
  }
  if (head !== lastSuccess && (await history.isAncestor(head, lastSuccess))) {
    return { base: head, why: `Overtaken: the newer ${short} has been carried out, so nothing runs.` };
  }
  if (everything) return { base: emptyTree, why: "Asked for: everything runs." };
  if (await history.isAncestor(lastSuccess, head)) {
    return { base: lastSuccess, why: `What changed since the last successful run's ${short} runs.` };
  }
  return { base: emptyTree, why: `The history was rewritten since ${short}: everything runs.` };
}
