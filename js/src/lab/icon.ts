import { LabIcon } from "@jupyterlab/ui-components";

/** A deck of cards, the first of which runs. */
const DRAWING = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" fill-rule="evenodd" d="M7 2h10v2H7zM5 5.5h14v2H5zM4 9h16a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zm5.5 3v7l6-3.5z"/>
</svg>`;

export const jobsIcon = new LabIcon({ name: "jobdeck:jobs", svgstr: DRAWING });
