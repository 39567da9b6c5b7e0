import type { ILabShell } from "@jupyterlab/application";

/** Where tabs go: Notebook 7 has one widget in its main area, the notebook, and room below it. */
export function placeOf(labShell: ILabShell | null): "main" | "down" {
  return labShell ? "main" : "down";
}
