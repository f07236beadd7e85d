using System.Net;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does a MySQL or MariaDB answer?</summary>
/// <remarks>
/// It always answers the greeting with a login, also when nobody is to log in: a client that goes away before is counted by the server,
/// which blocks the director's address after max_connect_errors (100) of them.
/// </remarks>
internal sealed class MysqlProbe(MysqlCheck check, string? password, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    private const string Nobody = "bascule";
    private const byte AsksForKey = 2; // caching_sha2_password: request_public_key

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        MysqlTalk mysql = new(talk, cancellation);
        byte[] first = await mysql.ReadAsync();
        if (MysqlTalk.Error(first) is { } unwelcome)
            return Verdict.Failed($"refused: {Conversation.Show(unwelcome.Text)}");
        if (MysqlGreeting.TryRead(first) is not { } greeting)
            return Verdict.Failed($"it does not speak MySQL: {Conversation.Show(first)}");

        if (StartsTls)
        {
            if (!greeting.OffersTls)
                return SqlVerdicts.NoTls;
            await mysql.SendAsync(MysqlGreeting.WishForTls(check.Database));
            await EncryptAsync(talk, cancellation);
        }

        await mysql.SendAsync(greeting.Login(check.User ?? Nobody, check.User is null ? null : password, check.Database, Encrypts));
        return await LogInAsync(mysql, greeting) ?? await AskAsync(mysql);
    }

    /// <returns>Null when we are logged in and more is to be asked.</returns>
    private async ValueTask<Verdict?> LogInAsync(MysqlTalk mysql, MysqlGreeting greeting)
    {
        while (true)
        {
            byte[] answer = await mysql.ReadAsync();
            if (MysqlTalk.Error(answer) is { } error)
                return check.User is null && error.IsAccessDenied ? Verdict.Pass("it asks who is there") : SqlVerdicts.LoginRefused(error.Text);
            switch (answer)
            {
                case [0x00, ..]:
                    return null;
                case [0xFE, ..] when MysqlGreeting.TryReadSwitch(answer) is { } other:
                    if (other.Proof(password) is not { } proof)
                        return Verdict.Failed($"it wants a login that this check does not know ({Conversation.Show(other.Plugin)})");
                    await mysql.SendAsync(proof);
                    greeting = other;
                    break;
                case [0x01, 0x03, ..]:
                    break; // caching_sha2_password: it knew the password; OK follows
                case [0x01, 0x04, ..]: // it did not: nobody has logged in with it since it started
                    if (await SayPasswordAsync(mysql, greeting) is { } refused)
                        return refused;
                    break;
                default:
                    return Verdict.Failed($"a broken login: {Conversation.Show(answer)}");
            }
        }
    }

    /// <returns>Null when it has been said.</returns>
    private async ValueTask<Verdict?> SayPasswordAsync(MysqlTalk mysql, MysqlGreeting greeting)
    {
        if (Encrypts)
        {
            await mysql.SendAsync([.. Encoding.UTF8.GetBytes(password ?? ""), 0]);
            return null;
        }

        if (!check.SaysPassword) // who stands in its place has a key too
            return SqlVerdicts.KeepsPassword("caching_sha2_password");
        await mysql.SendAsync([AsksForKey]);
        byte[] answer = await mysql.ReadAsync();
        if (answer is not [0x01, .. var key] || greeting.Sealed(password ?? "", key) is not { } hidden)
            return Verdict.Failed($"a broken login: {Conversation.Show(answer)}");
        await mysql.SendAsync(hidden);
        return null;
    }

    private async ValueTask<Verdict> AskAsync(MysqlTalk mysql)
    {
        Verdict verdict = await SqlVerdicts.AskAsync(check, "SELECT @@global.read_only", isReplica: readOnly => readOnly is not ("0" or "OFF"), mysql.QueryAsync);
        if (verdict.Passed)
            await mysql.QuitAsync();
        return verdict;
    }
}
