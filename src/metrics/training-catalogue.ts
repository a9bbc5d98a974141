/** Metrics of what is learned, and how fast. Part of the catalogue (catalogue.ts). */
import { counter, gauge } from './definition.ts';

export const training = {
  steps: counter('steps_total', 'steps', 'Optimizer steps since this process began.'),
  tokens: counter('tokens_total', 'tokens', 'Training tokens since this process began.'),
  step: gauge('step', 'steps', 'Number of the last step, counted over resumes.'),
  stepsPlanned: gauge('steps_planned', 'steps', 'Step after which the run ends.', {
    query: 'threadloom_step / $',
  }),
  secondsLeft: gauge(
    'seconds_left',
    'seconds',
    'Time to the end of the run at the present throughput.',
  ),
  active: gauge(
    'training_active',
    '',
    'Whether the run trains: 1, or 0 once it has ended and only its last values are served.',
  ),
  failed: gauge(
    'run_failed',
    '',
    'Whether the run has failed: 1 once it ended with an error or could not write all it should, else 0.',
    { query: 'max_over_time($[15m]) > 0' },
  ),
  epoch: gauge('epoch', 'epochs', 'Epoch of the last step.'),
  trainLoss: gauge('train_loss', 'nats', 'Mean loss per training token of the last step.', {
    query: 'avg_over_time($[5m])',
  }),
  trainBits: gauge('train_bits_per_token', 'bits', 'The training loss in bits.'),
  trainPerplexity: gauge('train_perplexity', '', 'Exponential of the training loss in nats.'),
  validationLoss: gauge('validation_loss', 'nats', 'Mean loss per token of the last validation.', {
    query: '$ - threadloom_train_loss',
  }),
  validationBits: gauge('validation_bits_per_token', 'bits', 'The validation loss in bits.'),
  validationPerplexity: gauge(
    'validation_perplexity',
    '',
    'Exponential of the validation loss in nats.',
  ),
  bestValidationLoss: gauge('best_validation_loss', 'nats', 'Lowest validation loss of the run.', {
    query: 'threadloom_validation_loss - $',
  }),
  learningRate: gauge('learning_rate', '', 'Learning rate of the last step.'),
  gradientNorm: gauge(
    'gradient_norm',
    '',
    'Global norm of the mean gradient of the last step, before clipping.',
    { query: 'max_over_time($[5m])' },
  ),
  clippedGradientNorm: gauge('clipped_gradient_norm', '', 'The same norm after clipping by norm.'),
  clipNorm: gauge('clip_norm', '', 'Largest gradient norm allowed; no series where it is off.', {
    query: 'threadloom_gradient_norm / $',
  }),
  clippedSteps: counter(
    'clipped_steps_total',
    'steps',
    'Steps whose gradient was scaled down to the largest norm allowed.',
    { query: 'rate($[5m]) / rate(threadloom_steps_total[5m])' },
  ),
  notFinite: counter(
    'not_finite_steps_total',
    'steps',
    'Steps refused because the loss or the gradient was not finite; the run ends with the first.',
    { query: 'increase($[1h]) > 0' },
  ),
};

export const gradients = {
  layerGradientNorm: gauge(
    'layer_gradient_norm',
    '',
    'Norm of a layer’s part of the mean gradient, before clipping.',
    { labels: ['layer'] },
  ),
  updateRatio: gauge(
    'update_ratio',
    '',
    'Norm of a layer’s update over the norm of its weights; about 0.001 is healthy.',
    { labels: ['layer'] },
  ),
  normByLag: gauge(
    'gradient_norm_by_lag',
    '',
    'Norm of the derivative of the loss of a chunk’s last time step by the hidden state so many time steps before: root mean square over the streams of one lane, mean over a bucket of lags 0, 1, 2–3, 4–7 and so on, named by its first.',
    { labels: ['layer', 'lag'], query: 'min by (layer) ($) / max by (layer) ($)' },
  ),
  saturation: gauge(
    'gate_saturation_ratio',
    '',
    'Share of a gate’s activations within 0.05 of a bound of its nonlinearity.',
    { labels: ['layer', 'gate'] },
  ),
  gradientsStep: gauge('gradients_step', 'steps', 'Step at which the metrics by layer were taken.'),
};

export const throughput = {
  tokensPerSecond: gauge(
    'tokens_per_second',
    'tokens per second',
    'Recent training throughput, as the progress line shows it.',
  ),
  flops: counter(
    'floating_point_operations_total',
    'operations',
    'Floating-point operations of the steps since this process began, as the benchmarks count them.',
    { query: 'rate($[1m]) / 1e9' },
  ),
  peakFlops: gauge(
    'peak_flops',
    'operations per second',
    'What all worker threads can do at most, measured at the start.',
  ),
  peakShare: gauge(
    'peak_ratio',
    '',
    'Recent floating-point operations a second over the measured peak.',
  ),
};
