export { AGENT_COST_LIMIT, type AgentCost, formatAgentCost, measureAgentCost } from './agent-cost.ts';
