"""The names that people give to prompts, reasoning, answers and the details beside them."""

# fmt: off
PROMPTS = (
    "prompt", "question", "problem", "instruction", "query", "problem_statement", "messages",
    "conversations", "conversation", "dialog", "input", "inputs", "prompt_text", "user_prompt", "task",
    "goal", "arg_0",
)
REASONINGS = (
    "reasoning_content", "reasoning", "thinking", "thinking_content", "chain_of_thought", "cot",
    "internal_reasoning", "reasoning_trace", "thinking_trace", "thoughts", "thought", "scratchpad",
    "rationale", "internal", "trace", "reasoning_text", "reasonings", "pre_generated_steps",
    "reasoning_steps", "steps", "explanation",
)
RESPONSES = (
    "full_response", "full_model_response", "response", "responses", "completion", "completions",
    "generated_text", "generation", "generations", "model_output", "model_response", "external_output",
    "output", "outputs", "choices", "candidates", "resps", "assistant", "reply", "result", "content",
    "text",
)
ANSWERS = (
    "final_answer", "model_answer", "answer_text", "final", "answer", "answers", "predicted_answer",
    "prediction", "pred", "extracted_answer", "pre_generated_answer",
)
REFERENCES = (
    "reference_answer", "ground_truth", "ground_truth_answer", "reference", "expected_answer", "expected",
    "target", "gold", "golden", "gold_answer", "correct_answer", "label", "labels", "answer_key",
)
NOT_A_PROMPT = {
    "id", "ids", "sha", "hash", "tokens", "count", "length", "type", "kind", "time", "index", "uuid",
    "name", "path", "url", "version", "system", "filter", "template",
}
NOT_AN_OUTPUT = {
    "best", "encrypted", "signature", "system", "id", "type", "reason", "effort", "length",
    "status", "role",
}
REFERENCE_WORDS = {
    "ground", "reference", "expected", "target", "gold", "golden", "label", "labels", "correct", "human",
}
MODELS = ("model", "model_name", "model_id", "engine", "sampler")
PROMPT_IDS = (
    "prompt_id", "problem_id", "question_id", "item_id", "task_id", "custom_id", "doc_id", "example_id",
    "uuid", "id",
)
SAMPLE_INDEXES = ("sample_index", "sample_id", "sample", "rollout", "attempt", "rep", "epoch", "seed")
DOMAINS = ("domain", "category", "subject", "topic", "problem_type", "dataset")
FINISHES = ("finish_reason", "stop_reason", "done_reason")
SAMPLINGS = (
    "sampling", "sampling_params", "sampling_parameters", "generation_config", "temperature", "top_p",
    "top_k", "min_p", "max_tokens", "max_new_tokens", "num_predict",
)
