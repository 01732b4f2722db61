"""How the shipped model came to be: data, tokenizer, network, training, export, evaluation.

Nothing here is imported when a summary is written; it needs the extra ``training`` (torch, tokenizers,
gguf).
"""
