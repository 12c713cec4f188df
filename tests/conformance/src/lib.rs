//! Property tests for anyone's sharpness-aware minimisation (SAM) code: backend trait, strategies, laws.
