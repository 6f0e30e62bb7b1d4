/** operations - the calls of an OpenAPI document, in the groups of its tags. */
import { resolve } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** [{name, about, operations}], in the order of the paper. */
export function groupsOf(paper) {
	const all = operationsOf(paper);
	return paper.tags.map((tag) => ({
		name: tag.name,
		about: tag.description,
		operations: all.filter((operation) => operation.tag === tag.name),
	})).filter((group) => group.operations.length);
}

function operationsOf(paper) {
	return Object.entries(paper.paths).flatMap(([path, item]) =>
		METHODS.filter((method) => item[method]).map((method) => {
			const operation = item[method];
			const security = operation.security ?? paper.security ?? [];
			const schemes = security.flatMap(Object.keys)
				.map((name) => resolve(paper, paper.components.securitySchemes[name]).schema.scheme);
			return {
				id: operation.operationId,
				tag: operation.tags[0],
				method: method.toUpperCase(),
				path,
				summary: operation.summary,
				about: operation.description ?? "",
				scheme: schemes[0] ?? null, // bearer, basic, or none
				parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])]
					.map((parameter) => resolve(paper, parameter).schema),
				contents: Object.entries(resolve(paper, operation.requestBody).schema.content ?? {})
					.map(([type, content]) => ({ type, ...content })),
				responses: Object.entries(operation.responses)
					.map(([code, response]) => ({ code, ...resolve(paper, response).schema })),
			};
		}));
}
