//! One ONNX model, loaded from memory, with its input kept between frames.

use ort::environment::Environment;
use ort::session::{Session, SessionOutputs, builder::GraphOptimizationLevel};
use ort::value::Tensor;

use crate::VisionError;

/// A model with one picture input, `[1 × 3 × side × side]`.
pub(crate) struct Model {
    session: Session,
    input: Tensor<f32>,
    side: usize,
}

impl Model {
    /// Makes a session with `threads` threads from a model's bytes.
    pub(crate) fn new(
        environment: &Environment,
        bytes: &[u8],
        side: usize,
        threads: usize,
    ) -> Result<Self, VisionError> {
        let session = build(environment, bytes, threads).map_err(failed)?;
        let input = Tensor::from_array(([1, 3, side, side], vec![0_f32; 3 * side * side])).map_err(failed)?;
        Ok(Self { session, input, side })
    }

    /// Side of the picture input, pixels.
    pub(crate) fn side(&self) -> usize {
        self.side
    }

    /// The input, `[3 × side × side]`, to be filled before [`Self::run`].
    pub(crate) fn input(&mut self) -> &mut [f32] {
        self.input.extract_tensor_mut().1
    }

    /// Runs the model on its input.
    pub(crate) fn run(&mut self) -> Result<Outputs<'_>, VisionError> {
        self.session.run(ort::inputs![&self.input]).map(Outputs).map_err(failed)
    }
}

/// What a model answered.
pub(crate) struct Outputs<'a>(SessionOutputs<'a>);

impl Outputs<'_> {
    /// The numbers of one output; it is an error if their count is not `length`.
    pub(crate) fn numbers(&self, name: &str, length: usize) -> Result<&[f32], VisionError> {
        let value = self.0.get(name).ok_or_else(|| VisionError::Inference(format!("no output {name}")))?;
        let (_, numbers) = value.try_extract_tensor::<f32>().map_err(failed)?;
        if numbers.len() == length {
            Ok(numbers)
        } else {
            Err(VisionError::Inference(format!("{} numbers in {name}, {length} expected", numbers.len())))
        }
    }
}

/// How long a thread looks for work before it sleeps, microseconds. The steps of one inference follow each other
/// within that: two threads take 3.2 ms where they take 5.3 ms without. ONNX Runtime's own default of some
/// milliseconds makes an inference take twice as long on a machine that has other work to do; with this it takes
/// as long as without.
const SPIN_US: &str = "20";

#[allow(clippy::result_large_err, reason = "ort's builder steps return themselves with the error")]
fn build(environment: &Environment, bytes: &[u8], threads: usize) -> ort::Result<Session> {
    Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)
        .and_then(|builder| builder.with_intra_threads(threads.max(1)))
        .and_then(|builder| builder.with_inter_threads(1))
        .and_then(|builder| builder.with_intra_op_spinning(threads > 1))
        .and_then(|builder| builder.with_config_entry("session.intra_op.spin_duration_us", SPIN_US))
        .and_then(|builder| builder.with_inter_op_spinning(false))?
        .commit_from_memory(bytes)
}

fn failed(error: impl std::fmt::Display) -> VisionError {
    VisionError::Inference(error.to_string())
}
