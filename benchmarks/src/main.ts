export { AGENT_COST_LIMIT, type AgentCost, formatAgentCost, measureAgentCost } from './agent-cost.ts';
export { type FaultCampaignOptions, runFaultCampaign } from './fault-campaign.ts';
export { checkCampaign } from './fault-campaign-check.ts';
export { formatCampaign } from './fault-campaign-table.ts';
export { formatMemorySoak, measureMemory } from './memory-soak.ts';
