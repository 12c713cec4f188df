//! What a record measures, in a user's words.

use serde::{Deserialize, Serialize};

/// What `final_test_accuracy` and every key like it hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// Share of examples that are classified rightly.
    #[serde(rename = "accuracy")]
    Accuracy,
    /// Intersection over union of a segmentation, mean over the classes.
    #[serde(rename = "mean IoU")]
    MeanIou,
}

impl Measure {
    /// On the test set, within a sentence.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "test accuracy",
            Self::MeanIou => "mean IoU",
        }
    }

    /// As the head of a column.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Accuracy => "test accuracy %",
            Self::MeanIou => "mean IoU %",
        }
    }

    /// At the beginning of a title.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Accuracy => "Test accuracy",
            Self::MeanIou => "Mean IoU",
        }
    }

    /// What the two columns of the training set hold.
    pub(super) const fn of_training(self) -> &'static str {
        match self {
            Self::Accuracy => {
                "Train clean: share of training images whose true label the model gives; noisy: share whose given label it gives."
            }
            Self::MeanIou => {
                "Train clean: mean IoU of the training images against their true masks; noisy: against the given ones."
            }
        }
    }
}
