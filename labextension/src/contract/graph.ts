/* Generated from covalent_lab/schemas/graph.json by `jlpm contract:generate`; do not edit. */
/**
 * The graph of a workflow, in columns; a node's id is its index.
 */
export interface GraphWire {
  version: 1;
  /**
   * Digest and size of each payload; other columns refer to them by index.
   */
  payloads: [string, number][];
  functions: GraphFunction[];
  options: GraphOptions[];
  nodes: GraphNodes;
  edges: GraphEdges;
}
/**
 * A callable shared by any number of nodes. Previews may omit payload, source and doc.
 *
 * This interface was referenced by `GraphWire`'s JSON-Schema
 * via the `definition` "GraphFunction".
 */
export interface GraphFunction {
  name: string;
  payload?: number;
  source?: string;
  doc?: string;
  /**
   * Digest of what it computes, where results may be taken over.
   */
  cache_key?: string;
}
/**
 * Where and how nodes run.
 *
 * This interface was referenced by `GraphWire`'s JSON-Schema
 * via the `definition` "GraphOptions".
 */
export interface GraphOptions {
  executor: string;
  executor_data: {
    [k: string]: unknown;
  };
  hooks: {
    [k: string]: unknown;
  };
}
/**
 * This interface was referenced by `GraphWire`'s JSON-Schema
 * via the `definition` "GraphNodes".
 */
export interface GraphNodes {
  name: string[];
  kind: (
    'function' | 'parameter' | 'electron_list' | 'electron_dict' | 'sublattice' | 'postprocess'
  )[];
  function: (number | null)[];
  value: (number | null)[];
  options: number[];
  task_group: number[];
}
/**
 * This interface was referenced by `GraphWire`'s JSON-Schema
 * via the `definition` "GraphEdges".
 */
export interface GraphEdges {
  source: number[];
  target: number[];
  name: string[];
  param_type: ('arg' | 'kwarg' | 'wait')[];
  arg_index: (number | null)[];
}
