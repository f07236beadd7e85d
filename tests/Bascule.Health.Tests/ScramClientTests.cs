namespace Bascule.Health.Tests;

public sealed class ScramClientTests
{
    [Theory]
    [InlineData("r=NONCEx,s=%%%,i=4096")] // no salt
    [InlineData("r=NONCEx,s=QSXCR+Q6sek8bf92,i=0")]
    [InlineData("r=NONCEx,s=QSXCR+Q6sek8bf92,i=100001")] // would cost us too much
    [InlineData("r=other,s=QSXCR+Q6sek8bf92,i=4096")]
    [InlineData("e=other-error")]
    [InlineData("")]
    public void Does_not_answer_what_is_no_challenge(string said)
    {
        ScramExchange exchange = new ScramClient("pencil").Begin();
        string nonce = exchange.First["n,,n=,r=".Length..];

        Assert.Null(exchange.Answer(said.Replace("NONCE", nonce, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_server_that_does_not_know_the_password_has_no_proof()
    {
        ScramExchange exchange = new ScramClient("pencil").Begin();
        Assert.NotNull(exchange.Answer($"r={exchange.First["n,,n=,r=".Length..]}x,s=QSXCR+Q6sek8bf92,i=4096"));

        Assert.False(exchange.IsProof("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        Assert.False(exchange.IsProof("e=other-error"));
    }

    [Fact]
    public void What_is_dear_is_done_once()
    {
        ScramClient client = new("pencil");

        Assert.Same(client.Salted("W22ZaJ0SNY7soEsUEjb6gQ==", "4096"), client.Salted("W22ZaJ0SNY7soEsUEjb6gQ==", "4096"));
        Assert.NotEqual(client.Salted("W22ZaJ0SNY7soEsUEjb6gQ==", "4096"), client.Salted("W22ZaJ0SNY7soEsUEjb6gQ==", "4097"));
    }
}
