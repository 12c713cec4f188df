"""Lightning and accelerate themselves call the step: the bits of a loop by hand, with a scheduler."""

import accelerate
import lightning
import pytest
import torch

from presam.torch import SAM

from nets import INPUTS, TARGETS, closure_of, loss_of, network, same

STEPS = 6
BATCH = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(INPUTS, TARGETS), batch_size=len(INPUTS))


def made(model):
    optimizer = SAM(model.parameters(), "info-asam", rho=0.3, lr=0.1, momentum=0.9)
    return optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)


def by_hand():
    model = network(torch.float32)
    optimizer, scheduler = made(model)
    for _ in range(STEPS):
        optimizer.step(closure_of(model))
        scheduler.step()
    return model


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = network(torch.float32)

    def training_step(self, batch, index):
        inputs, targets = batch
        return loss_of(self.net(inputs), targets)

    def configure_optimizers(self):
        optimizer, scheduler = made(self)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


@pytest.mark.filterwarnings("ignore")  # its own, of torch and of loaders
def test_lightning():
    module = Module()
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = lightning.Trainer(max_epochs=STEPS, accelerator="cpu", devices=1, **dict.fromkeys(quiet, False))
    trainer.fit(module, BATCH)
    assert trainer.global_step == STEPS and same(module.net, by_hand())


def test_accelerate():
    accelerator, model = accelerate.Accelerator(cpu=True), network(torch.float32)
    model, optimizer, scheduler = accelerator.prepare(model, *made(model))

    def closure():
        optimizer.zero_grad()
        loss = loss_of(model(INPUTS), TARGETS)
        accelerator.backward(loss)
        return loss

    for _ in range(STEPS):
        optimizer.step(closure)
        scheduler.step()
    assert same(model, by_hand())
