/** The query language: finding jobs by what a person types. `src/jobdeck/_query` is the same language in Python. */
export { completeQuery, type Completion, type Vocabulary } from "./completion";
export { QueryError } from "./error";
export { parseQuery, type Query } from "./query";
