export { mountGroup, type GroupProps } from "./mount";
